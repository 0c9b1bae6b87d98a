<?php
/**
 * Settings → Intresse.
 *
 * @package Intresse
 */

defined( 'ABSPATH' ) || exit;

add_action(
	'admin_menu',
	static function () {
		add_options_page( 'Intresse', 'Intresse', 'manage_options', 'intresse', 'intresse_settings_page' );
	}
);

add_action(
	'admin_init',
	static function () {
		$fields = array(
			'service'      => array(
				'label' => __( 'Address of the service', 'intresse' ),
				'help'  => __( 'Such as https://leads.example.se. The service’s configuration must list this site’s address under the customer’s allowed_origins.', 'intresse' ),
			),
			'customer'     => array(
				'label' => __( 'Customer id', 'intresse' ),
				'help'  => __( 'Such as M12345. A block or shortcode can name another customer, for a chain of offices.', 'intresse' ),
			),
			'estate_field' => array(
				'label' => __( 'Custom field with the home’s id', 'intresse' ),
				'help'  => __( 'The custom field in which each listing stores the id, so that one template serves all listings.', 'intresse' ),
			),
		);
		add_settings_section( 'intresse', '', '__return_null', 'intresse' );
		foreach ( $fields as $name => $field ) {
			add_settings_field(
				'intresse_' . $name,
				$field['label'],
				static function () use ( $name, $field ) {
					printf(
						'<input type="text" class="regular-text" id="%1$s" name="%2$s" value="%3$s" aria-describedby="%1$s-help"><p class="description" id="%1$s-help">%4$s</p>',
						esc_attr( 'intresse_' . $name ),
						esc_attr( INTRESSE_OPTION . '[' . $name . ']' ),
						esc_attr( intresse_settings()[ $name ] ),
						esc_html( $field['help'] )
					);
				},
				'intresse',
				'intresse',
				array( 'label_for' => 'intresse_' . $name )
			);
		}
		add_settings_field(
			'intresse_remember',
			__( 'Campaigns', 'intresse' ),
			static function () {
				printf(
					'<label><input type="checkbox" name="%1$s" value="1" %2$s> %3$s</label><p class="description">%4$s</p>',
					esc_attr( INTRESSE_OPTION . '[remember]' ),
					checked( intresse_settings()['remember'], true, false ),
					esc_html__( 'Remember a visitor’s campaign until the tab is closed', 'intresse' ),
					esc_html__( 'It is stored in the browser’s sessionStorage. The law requires the visitor’s consent for this.', 'intresse' )
				);
			},
			'intresse',
			'intresse'
		);
	}
);

/**
 * Prints the page.
 */
function intresse_settings_page() {
	if ( ! current_user_can( 'manage_options' ) ) {
		return;
	}
	echo '<div class="wrap"><h1>Intresse</h1><form action="options.php" method="post">';
	settings_fields( INTRESSE_OPTION );
	do_settings_sections( 'intresse' );
	submit_button();
	echo '</form></div>';
}

add_filter(
	'plugin_action_links_' . plugin_basename( INTRESSE_FILE ),
	static function ( $links ) {
		$link = '<a href="' . esc_url( admin_url( 'options-general.php?page=intresse' ) ) . '">' . esc_html__( 'Settings', 'intresse' ) . '</a>';
		array_unshift( $links, $link );
		return $links;
	}
);
