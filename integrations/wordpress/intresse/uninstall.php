<?php
/**
 * Deletes the settings. There is nothing else: no visitor's data is ever stored in WordPress.
 *
 * @package Intresse
 */

defined( 'WP_UNINSTALL_PLUGIN' ) || exit;

delete_option( 'intresse' );
