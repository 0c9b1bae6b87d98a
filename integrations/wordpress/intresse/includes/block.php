<?php
/**
 * The block, a variation for each form. It stores attributes and no HTML, so that authors without `unfiltered_html` can
 * use it.
 *
 * @package Intresse
 */

defined( 'ABSPATH' ) || exit;

add_action(
	'init',
	static function () {
		wp_register_script(
			'intresse-block',
			plugins_url( 'blocks/form/editor.js', INTRESSE_FILE ),
			array( 'wp-blocks', 'wp-element', 'wp-block-editor', 'wp-components', 'wp-data' ),
			INTRESSE_VERSION,
			true
		);
		register_block_type(
			dirname( INTRESSE_FILE ) . '/blocks/form',
			array(
				'render_callback' => static function ( $attributes, $content, $block ) {
					$post_id = isset( $block->context['postId'] ) ? (int) $block->context['postId'] : (int) get_the_ID();
					return intresse_render( $attributes, $post_id, get_block_wrapper_attributes() );
				},
			)
		);
	}
);

add_action(
	'enqueue_block_editor_assets',
	static function () {
		$settings = intresse_settings();
		$forms    = array();
		foreach ( intresse_forms() as $name => $form ) {
			$forms[] = array(
				'name'        => $name,
				'label'       => $form['label'],
				'needsEstate' => $form['needs_estate'],
			);
		}
		$data = array(
			'service'     => intresse_is_configured() ? $settings['service'] : '',
			'customer'    => $settings['customer'],
			'estateField' => $settings['estate_field'],
			'forms'       => $forms,
			'texts'       => array(
				'settings'     => __( 'Form', 'intresse' ),
				'form'         => __( 'Which form', 'intresse' ),
				'estate'       => __( 'The home’s id', 'intresse' ),
				'estateHelp'   => sprintf(
					/* translators: %s: the name of a custom field. */
					__( 'If empty, it is taken from the post’s custom field “%s”.', 'intresse' ),
					$settings['estate_field']
				),
				'customer'     => __( 'Customer id', 'intresse' ),
				'customerHelp' => sprintf(
					/* translators: %s: a customer's id. */
					__( 'If empty, that of the settings: %s.', 'intresse' ),
					$settings['customer']
				),
				'title'        => __( 'The home’s name above the form', 'intresse' ),
				'viewing'      => __( 'The viewing’s id', 'intresse' ),
				'slot'         => __( 'The time’s id', 'intresse' ),
				'slotHelp'     => __( 'Fill in both only to offer one particular time. If empty, the home’s open times are shown.', 'intresse' ),
				'theme'        => __( 'Colours', 'intresse' ),
				'themes'       => array(
					''      => __( 'Same as the page', 'intresse' ),
					'light' => __( 'Light', 'intresse' ),
					'dark'  => __( 'Dark', 'intresse' ),
					'auto'  => __( 'Same as the visitor’s device', 'intresse' ),
				),
				'missing'      => __( 'Intresse has no settings yet. An administrator enters them under Settings → Intresse.', 'intresse' ),
				'noEstate'     => __( 'The form appears on pages that have the id of a home.', 'intresse' ),
				'preview'      => __( 'Preview of the form', 'intresse' ),
			),
		);
		wp_add_inline_script( 'intresse-block', 'window.intresseBlock = ' . wp_json_encode( $data ) . ';', 'before' );
	}
);
